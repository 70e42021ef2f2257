"""``python -m safecity`` is the command ``safecity``."""

from safecity.cli import main

if __name__ == "__main__":
    main()
