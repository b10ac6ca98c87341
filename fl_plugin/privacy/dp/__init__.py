"""Differential privacy around a party's answer: what noise, how much, at what cost."""
