"""Tasks and actors among Python processes."""

import time

import thornback


@thornback.task
def is_prime(n: int) -> bool:
    return n > 1 and all(n % divisor for divisor in range(2, int(n**0.5) + 1))


@thornback.task
def count_primes(first: int, last: int) -> int:
    """A task may call tasks, and wait for them."""
    return sum(thornback.get([is_prime.remote(n) for n in range(first, last)]))


@thornback.task
def late(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@thornback.actor
class Account:
    def __init__(self, balance: int = 0) -> None:
        self.balance = balance

    def deposit(self, amount: int) -> int:
        self.balance += amount
        return self.balance


if __name__ == "__main__":
    with thornback.init():
        # Calls return at once; get waits for the values.
        print(thornback.get([is_prime.remote(n) for n in (7, 8, 9)]))  # [True, False, False]
        print(count_primes.remote(0, 30).get())  # 10
        print(is_prime(7))  # True

        # A ref that is an argument stands for its value: the second call waits for the first.
        account = Account.remote(100)
        amount = late.remote(0.1)
        print(account.deposit.remote(amount).get())  # 100.1

        # wait returns as soon as some are there.
        slow, quick = late.remote(1), late.remote(0.01)
        ready, pending = thornback.wait([slow, quick])
        print(ready == [quick], pending == [slow])  # True True

        # Lambdas and functions of a script work too: from Python to Python they travel by value.
        double = thornback.task(lambda n: 2 * n)
        print(double.remote(21).get())  # 42
