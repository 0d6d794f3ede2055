"""`python -m logstream COMMAND`."""

from logstream.cli import main

if __name__ == "__main__":
    main()
