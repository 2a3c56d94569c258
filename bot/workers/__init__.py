"""The loops that move work: notices to events, events to effects, effects to the wire."""
