"""The command centre: stores what the workers publish, and shows it to operators."""
