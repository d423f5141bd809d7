"""What happens to a call before its endpoint sees it."""
