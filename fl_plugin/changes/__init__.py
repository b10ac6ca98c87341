"""What has changed in a mesh since somebody looked: events, outboxes, who is told."""
