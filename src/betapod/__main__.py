"""``python -m betapod`` is the command ``betapod``."""

from .cli.main import main

if __name__ == "__main__":
    main()
