@echo off
rem Windows: find a Python for which this folder holds packages, set the course up, and open it. start.bat --help says more.
setlocal
set "here=%~dp0"
if defined COURSE_PYTHON call :try "%COURSE_PYTHON%"
for %%V in (3.12 3.11 3.10 3.13) do call :try py -%%V
call :try python
call :try python3
if defined found goto run
type "%here%python-needed.txt"
pause
exit /b 1

:run
%found% "%here%set_up.py" %*
set code=%errorlevel%
if not %code% == 0 pause
exit /b %code%

:try
if defined found exit /b
%* "%here%set_up.py" --fits >nul 2>nul && set found=%*
exit /b
