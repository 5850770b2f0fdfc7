# make install, make uninstall: one list of files, in conf/install.sh, serves both.
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/rtmem
INCLUDEDIR ?= $(PREFIX)/include/rtpreload
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions

INSTALL_ENV = B='$B' DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' LIBDIR='$(LIBDIR)' \
	SYSCONFDIR='$(SYSCONFDIR)' MANDIR='$(MANDIR)' DOCDIR='$(DOCDIR)' \
	INCLUDEDIR='$(INCLUDEDIR)' COMPDIR='$(COMPDIR)' ZSHDIR='$(ZSHDIR)' VERSION='$(VERSION)' \
	SOVERSION='$(SOVERSION)'

.PHONY: install uninstall
install: all ## copy everything below DESTDIR and PREFIX; an /etc/rtmem.conf that is there stays
	@$(INSTALL_ENV) ./conf/install.sh install
uninstall: ## remove what install put there; a changed /etc/rtmem.conf stays
	@$(INSTALL_ENV) ./conf/install.sh uninstall
