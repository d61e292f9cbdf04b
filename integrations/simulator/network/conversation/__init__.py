"""Sinch's Conversation API: one message, whatever channel its reader has. Plain Python."""
