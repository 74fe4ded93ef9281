# One image for the API, the workers, the migration job and the sandbox; the command says which.

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /app
# The version is the locked one, like everything else.
COPY pyproject.toml uv.lock README.md ./
RUN uv_version="$(awk '/^name = "uv"$/ { getline; gsub(/version = |"/, ""); print; exit }' uv.lock)" \
 && pip install --no-cache-dir --disable-pip-version-check "uv==${uv_version}"
# The packages change rarely, the code often: two layers. The group is what the sandbox needs besides.
RUN uv sync --frozen --no-dev --extra s3 --extra anthropic --extra openai --group sandbox --no-install-project
COPY alembic.ini worker.py ./
COPY migrations migrations
COPY bellhop bellhop
COPY activities activities
COPY workflows workflows
COPY api api
COPY clients clients
# The packages are compiled by uv. Uncompiled, our own code would be compiled anew at each start of each process, for a
# second: its user may not write there.
RUN uv sync --frozen --no-dev --extra s3 --extra anthropic --extra openai --group sandbox \
 && python -m compileall -q --invalidation-mode unchecked-hash activities api bellhop migrations worker.py workflows

FROM python:3.13-slim
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin bellhop \
 && install -d -o bellhop -g bellhop /var/lib/bellhop /var/lib/bellhop-media
WORKDIR /app
COPY --from=build /app /app
USER bellhop
EXPOSE 8000
# Workers finish what they have begun when they are asked to stop.
STOPSIGNAL SIGTERM
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8000"]
