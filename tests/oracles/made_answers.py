"""Answers that R makes bit by bit, without a random number: 500 rows of eight items, two groups.

frac <- function(x) x - floor(x)
u <- function(i, j) frac(sin(i * 12.9898 + j * 78.233) * 43758.5453)
i <- 1:500
z1 <- u(i,1)+u(i,2)+u(i,3)-1.5; z2 <- 0.5*z1 + u(i,4)+u(i,5)+u(i,6)-1.5
group <- ifelse(i %% 5 < 2, "b", "a")
l <- c(1,.8,.9,.7,0.2,0,0,-.1); m <- c(0,0.1,0,0,1,.9,.8,.7)
Y <- sapply(1:8, function(j) { e <- u(i,10+j)+u(i,30+j)-1
  round((l[j]*z1 + m[j]*z2 + e + ifelse(group=="b", .15, 0)*(j<5)) * 1000) / 1000 })
cuts <- list(c(-.5,0,.6), c(-.8,.3), c(0.1), c(-1,-.4,0,.5), c(-.6,.2,.9), c(-.2), c(-.5,.1,.7),
  c(0,.8))
O <- sapply(1:8, function(j) findInterval(Y[,j], cuts[[j]]))
gaps <- outer(i, 1:8, function(i,j) (i*7 + j*13) %% 17 == 0)
OG <- O; OG[gaps] <- NA; YG <- Y; YG[gaps] <- NA
"""

import numpy as np

ROWS = np.arange(1, 501)
CUTS = [[-0.5, 0, 0.6], [-0.8, 0.3], [0.1], [-1, -0.4, 0, 0.5], [-0.6, 0.2, 0.9], [-0.2],
        [-0.5, 0.1, 0.7], [0, 0.8]]  # fmt: skip
ON_FIRST = [1, 0.8, 0.9, 0.7, 0.2, 0, 0, -0.1]
ON_SECOND = [0, 0.1, 0, 0, 1, 0.9, 0.8, 0.7]


def _u(j):
    return np.sin(ROWS * 12.9898 + j * 78.233) * 43758.5453 % 1


GROUP = np.where(ROWS % 5 < 2, "b", "a")
_z1 = _u(1) + _u(2) + _u(3) - 1.5
_z2 = 0.5 * _z1 + _u(4) + _u(5) + _u(6) - 1.5
_higher = np.where(GROUP == "b", 0.15, 0)
NUMBERS = np.column_stack(
    [
        np.round((a * _z1 + b * _z2 + _u(11 + j) + _u(31 + j) - 1 + _higher * (j < 4)) * 1000)
        / 1000
        for j, (a, b) in enumerate(zip(ON_FIRST, ON_SECOND))
    ]
)
ANSWERS = np.column_stack(
    [np.searchsorted(cuts, x, side="right") for cuts, x in zip(CUTS, NUMBERS.T)]
).astype(float)
GAPS = (ROWS[:, None] * 7 + np.arange(1, 9) * 13) % 17 == 0
ANSWERS_WITH_GAPS = np.where(GAPS, np.nan, ANSWERS)
NUMBERS_WITH_GAPS = np.where(GAPS, np.nan, NUMBERS)
