"""The forms of bookings: they read what was typed; the actions do the rest."""
