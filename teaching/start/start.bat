@echo off
rem Windows: find a Python for which this folder holds packages, and set the course up with it.
setlocal
if defined COURSE_PYTHON call :try "%COURSE_PYTHON%"
for %%V in (3.12 3.11 3.13 3.10) do call :try py -%%V
call :try python
if not defined found (
  echo No Python was found for which this folder holds packages: see README-FIRST.txt.
  pause
  exit /b 1
)
%found% "%~dp0set_up.py" %*
if errorlevel 1 pause
exit /b %errorlevel%

:try
if defined found exit /b
%* "%~dp0set_up.py" --fits >nul 2>nul && set found=%*
exit /b
