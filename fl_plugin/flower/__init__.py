"""Nodes on other machines: Flower carries the messages, over mutual TLS."""
