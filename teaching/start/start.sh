#!/bin/sh
# Linux and Mac: find a Python for which this folder holds packages, set the course up, and open it. sh start.sh --help says more.
here=$(dirname "$0")
plain="python3 python"
if [ "$(uname)" = Darwin ] && [ "$(command -v python3)" = /usr/bin/python3 ]; then
  plain="" # Apple's own is too old, and may ask to be installed
fi
for python in ${COURSE_PYTHON:+"$COURSE_PYTHON"} python3.12 python3.11 python3.10 python3.13 $plain \
  /usr/local/bin/python3.1[0-3] /opt/homebrew/bin/python3.1[0-3] /Library/Frameworks/Python.framework/Versions/3.1[0-3]/bin/python3 "$HOME"/.pyenv/versions/3.1[0-3].*/bin/python; do
  if command -v "$python" >/dev/null && "$python" "$here/set_up.py" --fits >/dev/null 2>&1; then
    exec "$python" "$here/set_up.py" "$@"
  fi
done
cat "$here/python-needed.txt"
exit 1
