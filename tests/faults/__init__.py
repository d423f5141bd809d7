"""Fault schedules: what can go wrong between a task and DingTalk, composed, and judged by what DingTalk then has."""
