"""DingTalk's Stream mode without sockets: tickets, connections, and the events that are pushed until acknowledged."""
