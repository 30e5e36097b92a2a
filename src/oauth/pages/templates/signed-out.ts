export const signedOut = `
<% layout('@layout', { title: it.t('signed-out.title') }) %>
<h1><%= it.t('signed-out.title') %></h1>
<p class="lead" role="status"><%= it.t('signed-out.text') %></p>
<%~ include('@ways', it) %>
`;
