"""`logstream import`: files of any common shape, through the public HTTP API, each line once."""
