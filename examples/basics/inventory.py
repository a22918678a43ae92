"""Plain Python: nothing in here knows of Thornback."""


def total(prices: list[float], discount: float = 0.0, *, currency: str = "EUR") -> str:
    return f"{sum(prices) * (1 - discount):.2f} {currency}"


class Shelf:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.items: dict[str, int] = {}

    def add(self, name: str, count: int = 1) -> int:
        """How many things are on the shelf now."""
        if self.stock() + count > self.capacity:
            raise ValueError(f"no room for {count} x {name}")
        self.items[name] = self.items.get(name, 0) + count
        return self.stock()

    def stock(self) -> int:
        return sum(self.items.values())

    def listing(self) -> dict[str, int]:
        return self.items
