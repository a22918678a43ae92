"""Python calls functions and classes of text.ts."""

from pathlib import Path

import thornback

TEXT = Path(__file__).with_name("text.ts")

if __name__ == "__main__":
    with thornback.init():
        # An exported function is a task. Keyword arguments arrive as one object.
        slug = thornback.typescript.task(f"{TEXT}:slug")
        print(slug.remote("Zero Copies, Please").get())  # zero-copies-please
        print(slug.remote("Zero Copies", separator="_", upper=True).get())  # ZERO_COPIES

        # An exported class is an actor. Calls return refs; one actor executes them in order.
        index = thornback.typescript.actor(f"{TEXT}:Index").remote()
        index.add.remote("one", "a ray has no bones")
        index.add.remote("two", "a ray has a tail")
        print(sorted(index.search.remote("ray").get()))  # ['one', 'two']

        # An async generator of TypeScript is iterated as it goes.
        print(list(index.words.stream()))  # ['a', 'bones', 'has', 'no', 'ray', 'tail']
