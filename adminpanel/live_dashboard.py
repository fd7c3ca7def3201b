"""What moves by itself on the dashboard: its figures, what they come to in a month, and its charts."""

from __future__ import annotations
