"""System checks of SMSFlow."""
