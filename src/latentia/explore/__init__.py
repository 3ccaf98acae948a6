"""The latent space as a place to work in, for any model that decodes: arrays in, arrays out."""
