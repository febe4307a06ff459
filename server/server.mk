# The web app: Kore from Debian's packaged source plus our patches, and ours.
# Owned by server/; included from the top Makefile.
