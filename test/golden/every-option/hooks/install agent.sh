#!/bin/sh
cat <<'TEXT'
"${x}" %{y} {{z}}
TEXT
