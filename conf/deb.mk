# make deb: the Debian packages, built in a copy of the sources. Installed by the target itself.
DEB_DEPS := \
	build-essential \
	debhelper \
	dpkg-dev \
	fakeroot \
	lintian

DEB_TREE := $B/deb/rtmem-$(VERSION)

.PHONY: deb
deb: ## Debian packages and their source into build/deb, judged by lintian
	@./conf/deps.sh $(sort $(BUILD_DEPS) $(DEB_DEPS))
	rm -rf $B/deb
	mkdir -p $(DEB_TREE)
	tar -c --exclude=./$B --exclude=./.git . | tar -x -C $(DEB_TREE)
	cp -r conf/debian $(DEB_TREE)/debian
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -S
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -us -uc -b
	lintian --fail-on error $B/deb/*.changes
