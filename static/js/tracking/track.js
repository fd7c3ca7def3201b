// A day's way on the map.
