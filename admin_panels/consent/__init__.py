"""The pages about what people agreed to: opt-outs, exports, erasures, and the suppression list."""
