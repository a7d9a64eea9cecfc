"""Which Debian package brings what a build did not find: a header, a library, a program that tells its flags.

The names are those of Debian 12 and Ubuntu 24.04 (packages.debian.org's contents). What is not here is named as the
build named it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_MAX = 80
# file or name, in lower case and without lib, .h, .so, -config -> package
_PACKAGES: Mapping[str, str] = {
    "pg_config": "libpq-dev", "libpq-fe": "libpq-dev", "pq": "libpq-dev", "libpq": "libpq-dev",
    "mysql_config": "default-libmysqlclient-dev", "mysql": "default-libmysqlclient-dev",
    "mysqlclient": "default-libmysqlclient-dev", "mariadb_config": "libmariadb-dev", "mariadb": "libmariadb-dev",
    "libmariadb": "libmariadb-dev",
    "ffi": "libffi-dev", "libffi": "libffi-dev",
    "openssl/ssl": "libssl-dev", "openssl": "libssl-dev", "ssl": "libssl-dev", "crypto": "libssl-dev",
    "openssl/opensslv": "libssl-dev", "openssl/evp": "libssl-dev", "openssl/err": "libssl-dev",
    "python": "python3-dev", "python3": "python3-dev", "ruby": "ruby-dev", "ruby/ruby": "ruby-dev",
    "libxml/xmlversion": "libxml2-dev", "libxml/parser": "libxml2-dev", "libxml-2.0": "libxml2-dev",
    "xml2-config": "libxml2-dev", "xml2": "libxml2-dev", "libxml2": "libxml2-dev",
    "libxslt/xslt": "libxslt1-dev", "xslt-config": "libxslt1-dev", "xslt": "libxslt1-dev", "libxslt": "libxslt1-dev",
    "jpeglib": "libjpeg-dev", "jpeg": "libjpeg-dev", "libjpeg": "libjpeg-dev",
    "zlib": "zlib1g-dev", "z": "zlib1g-dev",
    "png": "libpng-dev", "libpng": "libpng-dev", "tiff": "libtiff-dev", "tiffio": "libtiff-dev",
    "webp/decode": "libwebp-dev", "webp": "libwebp-dev", "gif_lib": "libgif-dev", "freetype": "libfreetype-dev",
    "freetype2": "libfreetype-dev", "ft2build": "libfreetype-dev", "lcms2": "liblcms2-dev",
    "sqlite3": "libsqlite3-dev", "lber": "libldap2-dev", "ldap": "libldap2-dev", "sasl/sasl": "libsasl2-dev",
    "krb5-config": "libkrb5-dev", "gssapi": "libkrb5-dev", "gssapi/gssapi": "libkrb5-dev", "krb5": "libkrb5-dev",
    "cairo": "libcairo2-dev", "pangocairo": "libpango1.0-dev", "pango": "libpango1.0-dev",
    "pango/pango": "libpango1.0-dev", "pixman-1": "libpixman-1-dev", "glib-2.0": "libglib2.0-dev",
    "gobject-introspection-1.0": "libgirepository1.0-dev", "girepository-1.0": "libgirepository1.0-dev",
    "dbus-1": "libdbus-1-dev", "libusb-1.0": "libusb-1.0-0-dev", "libudev": "libudev-dev", "udev": "libudev-dev",
    "portaudio": "portaudio19-dev", "alsa": "libasound2-dev", "alsa/asoundlib": "libasound2-dev",
    "sndfile": "libsndfile1-dev", "libavcodec": "libavcodec-dev", "libavformat": "libavformat-dev",
    "curl/curl": "libcurl4-openssl-dev", "curl-config": "libcurl4-openssl-dev", "curl": "libcurl4-openssl-dev",
    "libcurl": "libcurl4-openssl-dev", "yaml": "libyaml-dev", "yaml-0.1": "libyaml-dev",
    "readline/readline": "libreadline-dev",
    "readline": "libreadline-dev", "ncurses": "libncurses-dev", "curses": "libncurses-dev", "bzlib": "libbz2-dev",
    "bz2": "libbz2-dev", "lzma": "liblzma-dev", "snappy-c": "libsnappy-dev", "lz4": "liblz4-dev",
    "zstd": "libzstd-dev",
    "gmp": "libgmp-dev", "mpfr": "libmpfr-dev", "mpc": "libmpc-dev", "magic": "libmagic1",
    "magickwand": "libmagickwand-dev", "magickcore": "libmagickwand-dev", "vips": "libvips-dev",
    "vips/vips": "libvips-dev",
    "vips-cpp": "libvips-dev", "hdf5": "libhdf5-dev", "netcdf": "libnetcdf-dev", "gdal": "libgdal-dev",
    "gdal-config": "libgdal-dev", "geos_c": "libgeos-dev", "geos-config": "libgeos-dev", "proj": "libproj-dev",
    "openblas": "libopenblas-dev", "blas": "libblas-dev", "lapack": "liblapack-dev", "sql": "unixodbc-dev",
    "sqltypes": "unixodbc-dev", "odbc": "unixodbc-dev", "zmq": "libzmq3-dev", "event": "libevent-dev",
    "libsecret-1": "libsecret-1-dev", "x11/xlib": "libx11-dev", "x11": "libx11-dev", "gtk+-3.0": "libgtk-3-dev",
    "sodium": "libsodium-dev", "augeas": "libaugeas-dev", "systemd": "libsystemd-dev", "libsystemd": "libsystemd-dev",
    "systemd/sd-daemon": "libsystemd-dev", "xmlsec1": "libxmlsec1-dev",
    "enchant": "libenchant-2-2", "rdkafka": "librdkafka-dev",
    "librdkafka/rdkafka": "librdkafka-dev", "idn": "libidn-dev", "pcap": "libpcap-dev", "cups/cups": "libcups2-dev",
}  # fmt: skip


def library_of(what: str) -> str:
    """``libpq-fe.h`` -> ``libpq-fe.h (Debian's libpq-dev)``; as it stands where the package is not known."""
    what = what[:_MAX]
    plain = re.sub(r"\.(?:h|hpp|so|a)$", "", what.lower())
    found = _PACKAGES.get(plain) or _PACKAGES.get(plain.removeprefix("lib"))
    return f"{what} (Debian's {found})" if found else what
