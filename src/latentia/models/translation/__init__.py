"""Models from image to image."""
