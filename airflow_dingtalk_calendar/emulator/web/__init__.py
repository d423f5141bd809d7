"""HTTP: DingTalk's paths, and the emulator's own."""
