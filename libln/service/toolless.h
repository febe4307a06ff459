#ifndef LNI_TOOLLESS_H
#define LNI_TOOLLESS_H

#include <ln/provider.h>

/*
 * Models that refused a request because it offered tools: this process asks
 * them without for a while, rather than twice each time.  Any thread.
 */
void lni_toolless_add(const struct ln_provider_conf *conf);
bool lni_toolless_has(const struct ln_provider_conf *conf);

#endif
