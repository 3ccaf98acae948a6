"""Linear models: x = Wz + μ."""
