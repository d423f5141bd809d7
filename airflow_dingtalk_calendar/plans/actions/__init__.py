"""What a row of a plan can do to an event, a module for each kind."""
