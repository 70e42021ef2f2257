"""What edge and centre agree on: messages, cameras, rules and the bus."""
