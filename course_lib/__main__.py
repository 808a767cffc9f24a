"""`python -m course_lib` prints what this machine has, what is wrong, and how to mend it."""

from course_lib import diagnosis

print(diagnosis.report())
