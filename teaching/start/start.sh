#!/bin/sh
# Linux and Mac: find a Python for which this folder holds packages, and set the course up with it.
here=$(dirname "$0")
# A Mac's own python3 is too old, and may only ask to be installed: it comes last.
for python in "$COURSE_PYTHON" python3.12 python3.11 python3.13 python3.10 \
  /usr/local/bin/python3.1? /opt/homebrew/bin/python3.1? \
  /Library/Frameworks/Python.framework/Versions/3.1?/bin/python3 python3 python; do
  if command -v "$python" >/dev/null && "$python" "$here/set_up.py" --fits >/dev/null 2>&1; then
    exec "$python" "$here/set_up.py" "$@"
  fi
done
echo "No Python was found for which this folder holds packages: see README-FIRST.txt."
exit 1
