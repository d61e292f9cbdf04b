#!/usr/bin/env bash
# Proves the wheel on its own: a new virtualenv, the lock file, the built wheel; then the bundled site is started
# from a copy that holds nothing but manage.py and smsflow_site, and somebody logs in.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
python=${PYTHON:-$(make -s python-name)}

work=$(mktemp -d)
pid=
cleanup() {
    [ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
    rm -rf "$work"
}
trap cleanup EXIT

# nothing of this machine: no site packages, no home, no settings
export HOME=$work/home PYTHONNOUSERSITE=1
unset PYTHONPATH DJANGO_SETTINGS_MODULE DATABASE_URL HUEY_URL SECRET_KEY || true
mkdir "$HOME"

"$python" -m venv "$work/venv"
bin=$work/venv/bin
"$bin/python" tools/install.py requirements/demo.txt

mkdir "$work/source"
git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -cf - 2>/dev/null | tar -xf - -C "$work/source"
(cd "$work/source" && "$bin/python" -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir "$work/dist" .)
"$bin/python" -m pip install --quiet --no-deps "$work"/dist/*.whl

mkdir "$work/site"
cp "$top/manage.py" "$work/site/"
cp -R "$top/smsflow_site" "$work/site/"
cd "$work/site"
"$bin/python" "$top/tools/wheel_contents.py" "$work"/dist/*.whl

echo "A production site passes its checks; with the demo switched on it must not."
production=(SECRET_KEY="$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(60))')"
    SMSFLOW_ENCRYPTION_KEYS="$("$bin/python" -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')"
    SMSFLOW_PHONE_PEPPER="$("$bin/python" -c 'import secrets; print(secrets.token_urlsafe(60))')"
    ALLOWED_HOSTS=texts.example.com PUBLIC_URL=https://texts.example.com)
env "${production[@]}" "$bin/python" manage.py check --deploy --fail-level WARNING
if env "${production[@]}" SMSFLOW_DEMO=1 "$bin/python" manage.py check --deploy >"$work/deploy.log" 2>&1; then
    echo "check --deploy accepted the demo." && exit 1
fi
grep -q smsflow.E010 "$work/deploy.log" || { cat "$work/deploy.log"; exit 1; }

free_port() { "$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
export SMSFLOW_DEMO=1 SMSFLOW_VAR=$work/var PORT
PORT=$(free_port)
export SMSFLOW_SIMULATOR_URL=http://127.0.0.1:$(free_port)
"$bin/python" manage.py check
"$bin/python" manage.py migrate --noinput --verbosity 0
"$bin/python" manage.py collectstatic --noinput --verbosity 0
"$bin/python" manage.py smsflow_demo >/dev/null
"$bin/python" manage.py smsflow_serve >"$work/serve.log" 2>&1 &
pid=$!
"$bin/python" "$top/tools/log_in.py" "http://127.0.0.1:$PORT" || { cat "$work/serve.log"; exit 1; }
kill -INT "$pid" 2>/dev/null || true
if ! wait "$pid"; then
    pid=
    echo "The site did not stop cleanly." && cat "$work/serve.log" && exit 1
fi
pid=
echo "The wheel works on its own."
