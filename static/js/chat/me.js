// Who is signed in here.
export const me = () => document.body.dataset.viewer ?? "";
