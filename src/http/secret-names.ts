/** Names that promise a secret, wherever they stand in a longer name: X-CSRFToken, aws_secret_access_key. */
export const SECRET_PART: RegExp =
  /token|secret|passw(or)?d|passphrase|api[-_]?key|access[-_]?key|private[-_]?key|csrf|xsrf|session|credential|signature|cookie|authoriz|jwt/i;
