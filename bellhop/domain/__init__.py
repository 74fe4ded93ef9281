"""The pure core: what messages, guests, channels, statuses and events are. No I/O."""
