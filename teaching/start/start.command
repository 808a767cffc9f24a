#!/bin/sh
# A double click on a Mac opens this in a terminal.
exec sh "$(dirname "$0")/start.sh" "$@"
