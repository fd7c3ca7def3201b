"""The throw-away servers can be treated as badly as the fault tests need."""

from __future__ import annotations

import psycopg
import pytest
import redis as redis_client

from tools.servers import Postgres, Redis, ServerTrouble

pytestmark = pytest.mark.postgresql


@pytest.fixture
def redis():
    server = Redis.make()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def postgres():
    server = Postgres.make()
    server.start()
    yield server
    server.remove()


def test_redis_stops_starts_and_comes_back_on_its_port(redis):
    taken_over = Redis.from_env(redis.env)
    taken_over.stop()
    assert not redis.is_running()
    assert not redis.answers()

    taken_over.start()
    assert redis.answers()
    redis.restart()
    redis.kill()
    assert not redis.is_running()


def test_redis_is_emptied_cut_off_and_stalled(redis):
    with redis.client() as client:
        client.set("a", "1")
        redis.flush()
        assert client.get("a") is None
        with client.pubsub() as listener:
            listener.subscribe("news")
            listener.get_message(timeout=5)
            redis.drop_connections()
            with pytest.raises(redis_client.ConnectionError):
                listener.connection.read_response()
    redis.stall()
    assert not redis.answers()
    redis.resume()
    assert redis.answers()


def test_postgresql_keeps_what_was_committed_over_a_power_cut(postgres):
    with postgres.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        connection.execute("CHECKPOINT")
    taken_over = Postgres.from_env(postgres.env)

    taken_over.kill()
    assert not postgres.is_running()
    taken_over.start()
    with postgres.connect() as connection:
        assert connection.execute("SELECT a FROM t").fetchone() == (1,)


def test_postgresql_cuts_its_clients_off(postgres):
    with postgres.connect() as connection:
        postgres.drop_connections()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.restart()
    postgres.connect().close()


def test_without_servers_the_message_says_what_to_run():
    with pytest.raises(ServerTrouble, match="make test"):
        Redis.from_env({})
