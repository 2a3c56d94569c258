"""Values and decisions: values in, value out, no clock and no I/O."""
