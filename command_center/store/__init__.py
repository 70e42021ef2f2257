"""The store: events, positions on the bus, statuses, counters; on SQLite or PostgreSQL."""
