"""The mathematics of generative models, computed: distributions and numbers in, numbers out."""
