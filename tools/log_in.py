"""Wait for a demo site, log in over HTTP as its administrator, and look at the admin.

python tools/log_in.py http://localhost:8000
"""

from __future__ import annotations

import re
import sys
import time

import requests

SECONDS = 60


def main(url: str) -> int:
    session = requests.Session()
    session.trust_env = False
    page = wait_for(session, f"{url}/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, "The log-in page has no form."
    form = {"username": "admin", "password": "demo", "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    home = session.post(f"{url}/admin/login/", data=form, headers={"Referer": url}, timeout=30)
    assert home.status_code == 200 and "/admin/logout/" in home.text, f"Could not log in: {home.status_code}."
    styles = re.findall(r'href="(/static/[^"]+\.css)"', home.text)
    assert styles, "The admin has no style sheet."
    for style in styles:
        assert session.get(url + style, timeout=30).status_code == 200, f"{style} is missing."
    print(f"Logged in at {url}/admin/.")
    return 0


def wait_for(session: requests.Session, url: str) -> str:
    end = time.monotonic() + SECONDS
    while True:
        try:
            answer = session.get(url, timeout=10)
        except requests.RequestException:
            answer = None
        if answer is not None and answer.status_code == 200:
            return answer.text
        assert time.monotonic() < end, f"{url} does not answer within {SECONDS} seconds."
        time.sleep(0.3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
