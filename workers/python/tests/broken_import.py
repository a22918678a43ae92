BROKEN = 1 / 0  # the tests import this module in a worker
