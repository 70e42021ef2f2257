"""The demo: cameras from real footage, a worker and the command centre, all on one machine."""
