"""What every test and measurement is told, unless its environment says otherwise already."""

import os

ENVIRONMENT = {
    "DEBUG": "off",
    "DEMO": "off",
    "HTTPS": "off",
    "ENV_FILE": os.devnull,
    "SECRET_KEY": "a-key-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "LOG_LEVEL": "WARNING",
    # Tests of the desk are about the desk; those of its second factor switch both on.
    "SECOND_FACTOR": "off",
    "STEP_UP_MINUTES": "0",
    "EXTRA_APPS": "realtime.tests.board",  # the throw-away app that the live mechanism is tested with
}
