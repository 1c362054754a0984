# install.mk - make install, make uninstall: what goes where. Included by the
# Makefile, which sets PREFIX, BINDIR, LIBEXECDIR, MANDIR and O.
#
# Every path is quoted as one word for the shell, so PREFIX and DESTDIR may
# hold spaces. A file named rcc that is not ours is never touched: Qt has a
# program of that name. Ours is known by a word that no other would hold.

RCC_NAME = rcc
UNITDIR = $(PREFIX)/lib/systemd
COMPLETIONDIR = $(PREFIX)/share/bash-completion/completions
INSTALL = install

at = '$(subst ','\'',$(DESTDIR)$1)'
wrapper = $(call at,$(BINDIR)/$(RCC_NAME))
wrapper_page = $(call at,$(MANDIR)/man1/$(RCC_NAME).1)

# Shell: true when $1 is there and is not ours.
foreign = { { [ -e $1 ] || [ -L $1 ]; } && ! { [ -f $1 ] && grep -aq RCC_RUNTIME_DIR $1; }; }

# The units name rccd by its full path.
unit = sed 's|@BINDIR@|$(subst ','\'',$(BINDIR))|' $1 >$2 && chmod 644 $2

OUR_FILES = $(call at,$(BINDIR)/rccd) $(call at,$(LIBEXECDIR)/rcc-agent) $(call at,$(LIBEXECDIR)/rccd-box) \
	$(call at,$(MANDIR)/man5/rcc.conf.5) $(call at,$(MANDIR)/man8/rccd.8) \
	$(call at,$(UNITDIR)/system/rccd.service) $(call at,$(UNITDIR)/user/rccd.service) \
	$(call at,$(COMPLETIONDIR)/$(RCC_NAME)) $(call at,$(COMPLETIONDIR)/rccd)

install: all install-check
	$(INSTALL) -d $(call at,$(BINDIR)) $(call at,$(LIBEXECDIR)) $(call at,$(COMPLETIONDIR)) \
		$(call at,$(MANDIR)/man1) $(call at,$(MANDIR)/man5) $(call at,$(MANDIR)/man8) \
		$(call at,$(UNITDIR)/system) $(call at,$(UNITDIR)/user)
	$(INSTALL) -m 755 $O/rcc $(wrapper)
	$(INSTALL) -m 755 $O/rccd $(call at,$(BINDIR)/rccd)
	$(INSTALL) -m 755 $O/rcc-agent $(call at,$(LIBEXECDIR)/rcc-agent)
	$(INSTALL) -m 755 $O/rccd-box $(call at,$(LIBEXECDIR)/rccd-box)
	$(INSTALL) -m 644 doc/rcc.1 $(wrapper_page)
	$(INSTALL) -m 644 doc/rcc.conf.5 $(call at,$(MANDIR)/man5/rcc.conf.5)
	$(INSTALL) -m 644 doc/rccd.8 $(call at,$(MANDIR)/man8/rccd.8)
	$(call unit,contrib/rccd.service,$(call at,$(UNITDIR)/system/rccd.service))
	$(call unit,contrib/rccd-user.service,$(call at,$(UNITDIR)/user/rccd.service))
	$(INSTALL) -m 644 contrib/rcc.bash $(call at,$(COMPLETIONDIR)/$(RCC_NAME))
	$(INSTALL) -m 644 contrib/rcc.bash $(call at,$(COMPLETIONDIR)/rccd)

# Nothing is changed before this has passed.
install-check:
	@for f in $(wrapper) $(wrapper_page); do \
		if $(call foreign,"$$f"); then \
			echo "install: $$f is not ours (Qt has an rcc too), so it stays as it is." >&2; \
			echo "install: give another PREFIX, or another name: make install RCC_NAME=rcc-farm. See INSTALL." >&2; \
			exit 1; \
		fi; \
	done

uninstall:
	@for f in $(wrapper) $(wrapper_page); do \
		if $(call foreign,"$$f"); then echo "uninstall: $$f is not ours, so it stays." >&2; \
		else rm -f "$$f"; fi; \
	done
	rm -f $(OUR_FILES)
	-[ ! -d $(call at,$(LIBEXECDIR)) ] || rmdir $(call at,$(LIBEXECDIR))

.PHONY: install install-check uninstall
