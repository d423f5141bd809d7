"""DingTalk's Stream mode: changes that DingTalk pushes over a WebSocket."""
